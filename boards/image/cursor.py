#!/usr/bin/env python3
"""cursor.py FOLDER: a theme of pointers that cannot be seen, in the Xcursor format: one pixel, clear, for every name."""
import os
import struct
import sys

NAMES = ("default", "left_ptr", "pointer", "hand1", "hand2", "text", "xterm", "wait", "watch", "progress", "help", "crosshair",
         "move", "grab", "grabbing", "all-scroll", "not-allowed", "col-resize", "row-resize", "ew-resize", "ns-resize",
         "nesw-resize", "nwse-resize", "zoom-in", "zoom-out", "context-menu", "copy", "alias", "cell", "vertical-text")
IMAGE, SIZE = 0xFFFD0002, 24


def main():
    folder = os.path.join(sys.argv[1], "cursors")
    os.makedirs(folder)
    with open(os.path.join(folder, "default"), "wb") as file:
        file.write(struct.pack("<4sIII", b"Xcur", 16, 0x10000, 1))
        file.write(struct.pack("<III", IMAGE, SIZE, 28))
        file.write(struct.pack("<9I", 36, IMAGE, SIZE, 1, 1, 1, 0, 0, 0) + struct.pack("<I", 0))
    for name in NAMES[1:]:
        os.symlink("default", os.path.join(folder, name))
    with open(os.path.join(sys.argv[1], "index.theme"), "w", encoding="ascii") as file:
        file.write("[Icon Theme]\nName=none\n")


main()
