import ArgumentParser

GalleonFSBench.main()
