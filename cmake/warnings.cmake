# Warnings are errors, with gcc and with clang alike.
option(HF_TESTS "Build the tests" ON)
option(HF_FUZZ "Build the fuzz targets (clang only)" OFF)
option(HF_RELEASE "Optimise for size and strip" OFF)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)

add_library(hf_warnings INTERFACE)
target_compile_options(hf_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wvla -Wundef -Wpointer-arith -Wwrite-strings
  -Wswitch -Wimplicit-fallthrough -Wformat=2
  -fno-common -fno-strict-aliasing -fstack-protector-strong
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op;-Wduplicated-cond>)

if(HF_RELEASE)
  # What assertions name is the same wherever the tree lies.
  add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
  add_compile_options(-Os -ffunction-sections -fdata-sections
    -fno-asynchronous-unwind-tables -fno-unwind-tables -fmerge-all-constants)
  add_link_options(-static -Wl,--gc-sections -Wl,-s -Wl,-z,relro -Wl,-z,now
    -Wl,--build-id=sha1)
endif()
