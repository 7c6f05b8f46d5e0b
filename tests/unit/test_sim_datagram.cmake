target_link_libraries(${test} PRIVATE hf_sim)
