# QEMU's virt machine: Linux on 64-bit ARM.
set(HF_BOARD_PORT port/linux)
set(HF_BOARD_PROCESSORS aarch64)
