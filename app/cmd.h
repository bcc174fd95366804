/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The subcommands: each takes its own line (argv[0] is "tern NAME") and returns the exit status. */
int app_cmd_pair(int argc, char **argv);
int app_cmd_serve(int argc, char **argv);
int app_cmd_load(int argc, char **argv);
int app_cmd_explain(int argc, char **argv);
int app_cmd_doctor(int argc, char **argv);
int app_cmd_compare(int argc, char **argv);
int app_cmd_decode(int argc, char **argv);
int app_cmd_top(int argc, char **argv);
