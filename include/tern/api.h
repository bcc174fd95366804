/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* What every public header needs: symbol visibility and C++ linkage. */
#define TERN_API        __attribute__((visibility("default")))
#define TERN_MUST_CHECK __attribute__((warn_unused_result))

#ifdef __cplusplus
#    define TERN_BEGIN_DECLS extern "C" {
#    define TERN_END_DECLS   }
#else
#    define TERN_BEGIN_DECLS
#    define TERN_END_DECLS
#endif
