// <sys/pidfd.h> for C++: glibc 2.36 declares its functions without extern "C".
#pragma once

#include <sys/types.h>

#include <csignal>

extern "C" {
#include <sys/pidfd.h>
}
