# Celery with its default settings: its worker, results, groups, chords, retries, countdowns and remote control. Over shards the
# broker's and the backend's keys have one hash tag.
import subprocess, sys, os
import celery

port, kind = os.environ.get("CLIENTS_PORT") or sys.argv[1], os.environ.get("CLIENTS_KIND") or sys.argv[2]
app = celery.Celery("celery_jobs", broker=f"redis://127.0.0.1:{port}/0", backend=f"redis://127.0.0.1:{port}/0")
if kind != "single":
    app.conf.broker_transport_options = app.conf.result_backend_transport_options = {"global_keyprefix": "{celery}"}


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=2, default_retry_delay=0.1)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


if __name__ == "__main__":
    os.environ.update(CLIENTS_PORT=port, CLIENTS_KIND=kind)
    worker = subprocess.Popen([sys.executable, "-m", "celery", "-A", "celery_jobs", "worker", "-c", "2", "-l", "error"],
                              cwd=os.path.dirname(os.path.abspath(__file__)))
    try:
        assert [r.get(timeout=20) for r in [add.delay(i, i) for i in range(50)]] == [2 * i for i in range(50)]
        assert celery.group(add.s(i, 1) for i in range(20))().get(timeout=20) == list(range(1, 21))
        assert celery.chord(add.s(i, 1) for i in range(20))(total.s()).get(timeout=20) == 210
        assert add.apply_async((1, 2), countdown=1).get(timeout=20) == 3
        assert third_time.delay().get(timeout=20) == 2
        add.apply_async((1, 2), countdown=60).revoke()
        assert list(app.control.inspect(timeout=5).ping().values()) == [{"ok": "pong"}]
    finally:
        worker.terminate()
        worker.wait(20)
