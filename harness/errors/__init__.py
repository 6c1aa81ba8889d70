"""Every error that a user can cause: one clear line each, exit code 2, never a traceback.

HarnessError
├── SpecError          the YAML experiment is wrong (where, what, what would be right)
│   └── UnknownNameError   a name that no file in a plugin folder carries
├── PluginError        a plugin file does not export what its folder's contract asks
├── AssetError         a model or data set cannot be had, or its bytes are not the expected ones
├── ModelError         an ONNX file that is not one, or whose inputs do not fit the family
├── QuantizeError      a method that failed or that quantized nothing
├── SessionError       a session option, value or provider that onnxruntime would silently ignore
├── AudioError         a clip that cannot be read, or holds no sound     (becomes an error row)
├── TextError          a text that a synthesiser cannot say               (becomes an error row)
├── OutputError        a model output that is not a number, or a server's that is no transcript
│                      (becomes an error row)
├── WorkerError        a child process that crashed, hung or was killed   (becomes an error row)
│   └── HangError          it gave no answer within the limit for it
├── StoreError         a run folder of another schema, locked, edited or incomplete
├── IncomparableError  two runs on other machines, data or versions, whose figures say nothing
└── ExtraError         an optional package is missing; names the extra that brings it
"""

from __future__ import annotations


class HarnessError(Exception):
    """Base of all: its text is the one line that the user reads."""


class SpecError(HarnessError):
    """The experiment file is wrong: names the file, the path in it and what would be right."""


class UnknownNameError(SpecError):
    """A plugin name that no file carries: names the nearest and all that exist."""


class PluginError(HarnessError):
    """A plugin file does not export the value that its folder's contract asks for."""


class AssetError(HarnessError):
    """A model or data set cannot be had, or its bytes are not the expected ones."""


class ModelError(HarnessError):
    """An ONNX file that is not one, or a folder that the model family cannot open."""


class QuantizeError(HarnessError):
    """A quantization method failed, or changed nothing."""


class SessionError(HarnessError):
    """A session option, value or provider that onnxruntime would accept and ignore."""


class AudioError(HarnessError):
    """A clip cannot be read or holds no sound."""


class TextError(HarnessError):
    """A text that a synthesiser cannot say: empty, or of signs that it has no sound for."""


class OutputError(HarnessError):
    """A model gave an output that is not a number, or a server one that is no transcript."""


class WorkerError(HarnessError):
    """A child process crashed, hung past its limit or was killed; `done`: rows that it had answered
    of the same request before."""

    done: tuple[dict[str, object], ...] = ()


class HangError(WorkerError):
    """A child process gave no answer within the limit for it."""


class StoreError(HarnessError):
    """A run folder is of another schema, in use by another run, edited or incomplete."""


class IncomparableError(HarnessError):
    """Two runs differ in what their figures depend on: names each key with both values."""


class ExtraError(HarnessError):
    """An optional package is missing: the text names the extra that installs it."""
