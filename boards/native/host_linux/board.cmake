# Linux on the machine that builds.
set(HF_BOARD_PORT port/linux)
