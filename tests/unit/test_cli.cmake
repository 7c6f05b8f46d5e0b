add_dependencies(${test} holdfast)
