// Tests of PoolIO follow.
