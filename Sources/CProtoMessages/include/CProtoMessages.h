// Umbrella of the messages generated from Proto/.
