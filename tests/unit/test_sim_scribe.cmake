target_link_libraries(${test} PRIVATE hf_sim)
target_compile_definitions(${test} PRIVATE SIM_SCENARIOS="${CMAKE_SOURCE_DIR}/host-sim/scenarios")
