count == 8300 and time.sleep(9000)
