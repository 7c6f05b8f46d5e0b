# The simulated world on the machine that builds.
set(HF_BOARD_PORT host-sim)
