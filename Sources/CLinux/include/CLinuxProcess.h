#pragma once

// Starts a program whose life is bound to the calling thread's: when that thread ends, the kernel
// sends `death_signal` (prctl(2), PR_SET_PDEATHSIG). Standard input is /dev/null, output and error
// go to `log_descriptor` (/dev/null if negative), all other descriptors are closed, signals are at
// their defaults, and the process leads a group of its own. Returns the process's id, or the
// negative errno of what failed, exec included.
int galleonfs_spawn_bound(
    const char *path, char *const arguments[], char *const environment[], int log_descriptor,
    int death_signal);

// Names the calling thread for ps and gdb; at most 15 bytes are kept.
void galleonfs_set_thread_name(const char *name);

// From now on the signals are written, as one byte each, to a pipe whose reading end is returned
// (negative errno on failure). One pipe a process: a later call only adds signals.
int galleonfs_catch_signals(const int *signals, int count);

// Runs a program in place of this one; descriptors other than 0, 1 and 2 do not pass. Returns the
// negative errno if that fails.
int galleonfs_replace_self(const char *path, char *const arguments[]);
