# SPDX-License-Identifier: Apache-2.0
# A seed that catches a mutant becomes a scenario of a few steps, which fails in
# the same way with the mutant and holds with the product. Which seed that is
# changes with the product: the first that the check catches.
foreach(pair "normal;accounted-for" "fickle;no-second-effect" "overtakes;order-kept")
	list(GET pair 0 mutant)
	list(GET pair 1 check)
	set(found 0)
	foreach(seed RANGE 1 200)
		execute_process(COMMAND ${SIM} replay --seed ${seed} --mutant ${mutant}
			RESULT_VARIABLE ended OUTPUT_QUIET ERROR_VARIABLE said)
		if(ended EQUAL 1 AND said MATCHES ": ${check}: ")
			set(found ${seed})
			break()
		endif()
	endforeach()
	if(NOT found)
		message(FATAL_ERROR "${mutant}: no seed is caught by ${check}")
	endif()
	execute_process(COMMAND ${SIM} shrink --seed ${found} --mutant ${mutant} --out ${OUT}
		RESULT_VARIABLE ended)
	if(ended)
		message(FATAL_ERROR "shrink ended with ${ended}")
	endif()
	file(STRINGS ${OUT} steps REGEX "^(at|after|all) ")
	list(LENGTH steps n)
	if(n GREATER 9)
		message(FATAL_ERROR "${mutant}: ${n} steps are left")
	endif()
	execute_process(COMMAND ${SIM} run ${OUT} --mutant ${mutant}
		RESULT_VARIABLE ended OUTPUT_QUIET ERROR_VARIABLE said)
	if(NOT ended EQUAL 1 OR NOT said MATCHES ": ${check}: ")
		message(FATAL_ERROR "${mutant}: the small scenario ended with ${ended}: ${said}")
	endif()
	execute_process(COMMAND ${SIM} run ${OUT} RESULT_VARIABLE ended OUTPUT_QUIET)
	if(ended)
		message(FATAL_ERROR "${mutant}: the product fails in the small scenario")
	endif()
endforeach()
