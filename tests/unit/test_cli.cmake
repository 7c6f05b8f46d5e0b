add_dependencies(${test} holdfast)
set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "HF_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
