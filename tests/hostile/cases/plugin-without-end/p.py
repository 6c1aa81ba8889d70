"""X."""


def f():
    return f()


f()
