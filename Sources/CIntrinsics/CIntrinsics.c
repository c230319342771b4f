#include "CIntrinsics.h" /* SwiftPM wants one source file in a C target. */
