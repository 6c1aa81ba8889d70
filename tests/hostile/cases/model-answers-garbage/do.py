for n in range(3, 20):
    try: os.write(n, b'[[[{{{\xff\n')
    except OSError: pass
