# The test makes writes of registrations fail.
target_link_options(${test} PRIVATE -Wl,--wrap=hf_store_registration)
