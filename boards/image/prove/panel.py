"""What a panel that is proven is told on its first partition."""
import json
import os
import subprocess

MANIFEST = {
    "name": "proof",
    "version": "1.0.0",
    "routes": [{
        "condition": {"urlPattern": "/api/*", "requestMethod": "POST"},
        "source": "network",
        "queue": {"tag": "orders", "laneBy": {"segment": 3}, "maxEntries": 10000},
    }],
}


def make_key(folder):
    path = os.path.join(folder, "key")
    if not os.path.exists(f"{path}.pub"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with open(f"{path}.pub", encoding="ascii") as file:
        return path, file.read().strip()


def tell(card, port, public_key, lines=""):
    """The origin is a port of the machine that runs QEMU; the agent listens for it as well."""
    card.put("proof.json", json.dumps(MANIFEST))
    card.put("holdfast.conf", f"""[panel]
hostname = proof
ssh-key = {public_key}
{lines}
[agent]
listen = 127.0.0.1:8480, 0.0.0.0:8481
control = /run/holdfast/control.sock
state-dir = /var/lib/holdfast
allow-remote = yes
ignore-links = none
[origin proof]
url = http://10.0.2.2:{port}
[worker proof]
origin = proof
manifest = proof.json
""")
