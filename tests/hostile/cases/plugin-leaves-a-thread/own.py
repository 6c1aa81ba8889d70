"""Own."""
import threading, time; threading.Thread(target=time.sleep, args=(9000,)).start()
