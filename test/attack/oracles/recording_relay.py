"""A relay in the world, in front of a server: it remembers what passed on each connection, both ways, and can leave a request's body unread until the
server has answered, so that the path to it fills up."""
import random
import socket
import threading
import time

WINDOW = 8192  # octets that the relay's socket takes before it is read


class Recorded:
    def __init__(self):
        self.sent, self.answered = bytearray(), bytearray()  # by exeat; to exeat
        self.over = False
        self.first_answer = threading.Event()


class RecordingRelay:
    def __init__(self, lab, name, backend, seed):
        self.name, self._backend, self._world = name, backend, lab.topology.world
        self.connections, self.patient = [], threading.Event()
        self._random = random.Random(seed)
        four, _ = lab.place(name, v6=False)
        self._listening = self._world.socket(socket.AF_INET)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self._listening.bind((four, 80))
        self._listening.listen(1024)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            record = Recorded()
            self.connections.append(record)
            pause = self._random.choice([0, 0, 0.02, 0.1])
            threading.Thread(target=self._run, args=(near, record, pause), daemon=True).start()

    def _run(self, near, record, pause):
        far = self._world.connect(*self._backend, 10)
        back = threading.Thread(target=self._answers, args=(far, near, record), daemon=True)
        back.start()
        try:
            while got := near.recv(4096):
                record.sent += got
                if b" /silent/" in got[:100]:
                    self.patient.wait(60)
                far.sendall(got)
                if pause and not record.first_answer.is_set():
                    record.first_answer.wait(0.5)
                    time.sleep(pause)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            # The server has closed under the body; what exeat still sends is remembered all the same.
            try:
                while got := near.recv(65536):
                    record.sent += got
            except OSError:
                pass
        back.join(30)
        near.close()
        far.close()
        record.over = True

    @staticmethod
    def _answers(far, near, record):
        try:
            while got := far.recv(65536):
                record.answered += got
                near.sendall(got)
                record.first_answer.set()
        except OSError:
            pass
        record.first_answer.set()
        try:
            near.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
