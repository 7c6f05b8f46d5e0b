target_link_libraries(${test} PRIVATE hf_sim)
set_tests_properties(${test} PROPERTIES TIMEOUT 1200)
