# 32-bit ARM as Debian's armhf means it: ARMv7 with VFPv3-D16. Not for ARMv6 (Raspberry
# Pi 1, Zero and Zero W).
set(HF_TOOLCHAIN armhf)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain-common.cmake)
set(CMAKE_AR arm-linux-gnueabihf-ar)
set(CMAKE_RANLIB arm-linux-gnueabihf-ranlib)
set(CMAKE_STRIP arm-linux-gnueabihf-strip)
set(CMAKE_NM arm-linux-gnueabihf-nm)
