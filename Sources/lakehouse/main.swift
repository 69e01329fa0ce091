print("lakehouse")
