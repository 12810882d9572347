// Composes the program; see the rooms below.
