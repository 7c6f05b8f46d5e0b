# Raspberry Pi 4 Model B, 400 and Compute Module 4: Linux on 64-bit ARM.
set(HF_BOARD_PORT port/linux)
set(HF_BOARD_PROCESSORS aarch64)
