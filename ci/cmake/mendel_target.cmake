# What every target of ours is compiled and linked with.

add_library(mendel_options INTERFACE)
target_compile_options(mendel_options INTERFACE
  -Wall -Wextra -Wswitch -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fno-omit-frame-pointer)
target_include_directories(mendel_options INTERFACE ${PROJECT_SOURCE_DIR})

if(MENDEL_SANITIZE)
  target_compile_options(mendel_options INTERFACE -fsanitize=${MENDEL_SANITIZE})
  target_link_options(mendel_options INTERFACE -fsanitize=${MENDEL_SANITIZE})
  if(MENDEL_SANITIZE STREQUAL "thread")
    target_compile_options(mendel_options INTERFACE -Wno-tsan)
  endif()
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 finds uninitialised values in std::optional and std::variant where there are none,
  # more of them the more it inlines.
  target_compile_options(mendel_options INTERFACE -Wno-maybe-uninitialized)
  target_link_options(mendel_options INTERFACE -fuse-ld=mold)
endif()

# mendel_library(NAME SOURCES… LINKS…): a static library. What it links is PRIVATE, so that a
# folder sees only the folders that it may know.
function(mendel_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PUBLIC_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE mendel_options ${ARG_LINKS} PUBLIC ${ARG_PUBLIC_LINKS})
endfunction()

# mendel_precompile_headers(NAME HEADERS…): so that ccache can still remember what is compiled
# with them (its manual, "Precompiled headers").
function(mendel_precompile_headers name)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# mendel_test(NAME LABEL unit|db|integration|slow SOURCES… LINKS…): one GoogleTest program;
# each of its tests is one of ctest's. Not optimised: that would take longer than they run.
function(mendel_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE mendel_options ${ARG_LINKS} GTest::gtest_main GTest::gmock)
  target_compile_options(${name} PRIVATE -O0)
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 300)
endfunction()
