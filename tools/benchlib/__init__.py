# SPDX-License-Identifier: BSD-3-Clause
"""The parts of tools/bench, in reading order:

    figures     a figure: so many nanoseconds an operation, with its spread; a run of many as JSON
    programs    runs the Google Benchmark programs and reads their figures
    testpmd     the limit: a packet in and out that nobody looks at
    kernel      the comparison: what the kernel accepts for nginx
    targets     what tern is meant to reach
    report      the table; what changed between two runs; the picture and the tables in the documents
    machine     where and of what a run was
"""
