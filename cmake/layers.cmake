# The layer table: who may use whom. `base` is open to all. This is its only copy: configuring fails on an
# edge that is not here, and scripts/check-layers reads the same lines to check every #include.
#
# layer        may use
set(BERTH_LAYERS
    "base:"
    "oci:"
    "io:"
    "net:"
    "http:net"
    "logging:net"
    "metrics:"
    "auth:oci net"
    "store/blob:oci io"
    "store/index:oci io"
    "store/links:oci io"
    "store/cache:oci net"
    "migrate:"
    "registry:oci io store/blob store/index store/links store/cache"
    "transfer:oci io http registry store/blob store/index store/links"
    "api:oci http auth registry metrics"
    "jobs:oci io net http metrics registry store/blob store/index"
    "app:oci io net http logging metrics auth store/blob store/index store/links store/cache registry api jobs"
    "cli:oci io net http logging metrics auth store/blob store/index store/links store/cache registry transfer api jobs app migrate")

function(berth_layer_uses LAYER OUT)
    foreach(row IN LISTS BERTH_LAYERS)
        if(row MATCHES "^${LAYER}:(.*)$")
            string(REPLACE " " ";" uses "${CMAKE_MATCH_1}")
            set(${OUT} "${uses}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "cmake/layers.cmake has no row for layer '${LAYER}'")
endfunction()

# berth_layer(LAYER path SRCS a.cc b.cc [USES layer...] [LIBS external...])
#
# Makes the static library of one layer, `berth_<path with _>`, and its alias berth::<path>. USES names the
# layers it links; an edge missing from the table stops the configuration. Every header is compiled alone by
# the target `all_verify_interface_header_sets`.
function(berth_layer)
    cmake_parse_arguments(ARG "" "LAYER" "SRCS;USES;LIBS" ${ARGN})
    berth_layer_uses(${ARG_LAYER} allowed)
    string(REPLACE "/" "_" name "berth_${ARG_LAYER}")
    add_library(${name} STATIC ${ARG_SRCS})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(${name} PUBLIC ${ARG_LIBS} PRIVATE berth_warnings)
    if(NOT ARG_LAYER STREQUAL "base")
        target_link_libraries(${name} PUBLIC berth_base)
    endif()
    foreach(used IN LISTS ARG_USES)
        if(NOT used IN_LIST allowed)
            message(FATAL_ERROR
                "layer '${ARG_LAYER}' may not use '${used}': allowed are base ${allowed} (cmake/layers.cmake)")
        endif()
        string(REPLACE "/" "_" dependency "berth_${used}")
        target_link_libraries(${name} PUBLIC ${dependency})
    endforeach()
endfunction()
