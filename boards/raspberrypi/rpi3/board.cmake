# Raspberry Pi 3 Model B, B+ and A+: Linux on 64-bit ARM.
set(HF_BOARD_PORT port/linux)
set(HF_BOARD_PROCESSORS aarch64)
