# One CMake target a module. tessera_module(NAME SOURCES .. [DEPS ..] [PRIVATE_DEPS ..]) makes tessera_NAME;
# tessera_test(NAME SOURCES .. [DEPS ..] LABEL unit|conformance|fault|e2e|gpu [TIMEOUT seconds]) makes a gtest program
# (all of them: target unit_tests);
# tessera_test_tool(NAME SOURCES .. [DEPS ..]) a program that tests in Python call (all of them: target test_tools);
# tessera_benchmark(NAME SOURCES .. [DEPS ..]) a google-benchmark program (all of them: target benchmarks).

# A newer compiler's new warnings must not stop somebody who only wants to build.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  option(TESSERA_WARNINGS_AS_ERRORS "Warnings are errors" ON)
else()
  option(TESSERA_WARNINGS_AS_ERRORS "Warnings are errors" OFF)
endif()

add_library(tessera_flags INTERFACE)
target_compile_options(tessera_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -Wnon-virtual-dtor -Woverloaded-virtual $<$<BOOL:${TESSERA_WARNINGS_AS_ERRORS}>:-Werror>)
# g++ 12 sees overlapping copies in `string = "literal"` (gcc bug 105651).
target_compile_options(tessera_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(tessera_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(TESSERA_SANITIZE)
  # g++ sees uninitialized reads in sound code once the sanitizers' checks stand between (its manual says so).
  target_compile_options(tessera_flags INTERFACE -fsanitize=${TESSERA_SANITIZE} -fno-omit-frame-pointer
                         -Wno-maybe-uninitialized)
  target_compile_definitions(tessera_flags INTERFACE _GLIBCXX_ASSERTIONS)  # optional, vector, span .. check their use
  target_link_options(tessera_flags INTERFACE -fsanitize=${TESSERA_SANITIZE})
endif()

# Every preset but `edit` compiles up to 16 sources of a target as one: that takes half of the time. So names in anonymous
# namespaces must differ within a target; and such a namespace is in a header, as g++ sees it. g++ also tells
# of constants that nobody uses: clang-tidy takes sources together as well, and then does not.
if(CMAKE_UNITY_BUILD)
  target_compile_options(tessera_flags INTERFACE
                         "$<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage;-Wunused-const-variable=2>")
endif()

# Tests' own code: a null pointer stops them all the same, and these two checks are a quarter of their compile time.
add_library(tessera_test_flags INTERFACE)
if(TESSERA_SANITIZE MATCHES undefined)
  target_compile_options(tessera_test_flags INTERFACE -fno-sanitize=null,alignment)
endif()

function(tessera_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(tessera_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(tessera_${name} PUBLIC ${ARG_DEPS} PRIVATE tessera_flags ${ARG_PRIVATE_DEPS})
  target_include_directories(tessera_${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

add_custom_target(unit_tests)
function(tessera_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT TESSERA_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(TESSERA_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")  # -O0 and checks everywhere, on a machine that may be busy
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tessera_flags tessera_test_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  add_dependencies(unit_tests ${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
  # OpenVINO's thread pool opens its libraries in a way that ASan refuses, unless told of it.
  set_tests_properties(${name} PROPERTIES ENVIRONMENT TBB_ENABLE_SANITIZERS=1)
endfunction()

# The program NAME, as a part of GROUP; not part of a build without tests.
function(tessera_test_program group name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(TESSERA_BUILD_TESTS)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE tessera_flags ${ARG_DEPS})
    add_dependencies(${group} ${name})
  endif()
endfunction()

add_custom_target(test_tools)
macro(tessera_test_tool name)
  tessera_test_program(test_tools ${name} ${ARGN})
endmacro()

add_custom_target(benchmarks)
macro(tessera_benchmark name)
  tessera_test_program(benchmarks ${name} ${ARGN})
  if(TARGET ${name})
    target_link_libraries(${name} PRIVATE benchmark::benchmark)
  endif()
endmacro()
