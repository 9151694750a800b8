// <sys/pidfd.h> for C++: glibc 2.36 declares its functions without extern "C".
// Floor 1.
#pragma once

#include <sys/types.h>

#include <csignal>

extern "C" {
#include <sys/pidfd.h>
}
