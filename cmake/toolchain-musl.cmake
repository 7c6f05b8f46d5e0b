# This machine's processor, static on musl.
set(HF_TOOLCHAIN musl)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain-common.cmake)
