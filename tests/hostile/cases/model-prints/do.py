os.write(1, b'{"turn": 3}\n'); os.system('echo hello; echo there >&2'); sys.stderr.write('x' * 300_000)
