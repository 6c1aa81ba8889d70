"""How quiet the machine was: the A/A twin, the spread of blocks, and those with stolen time."""

from __future__ import annotations

from harness import markdown, reading
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "Sin medir: no hay bloques de latencia.",
        "spread": (
            "De {n} bloques, la mitad central queda entre el {low} y el {high} de la mediana de "
            "su celda, y el "
            "mayor llega al {top}."
        ),
        "noisy": (
            "{n} bloques ({share}) perdieron más del {limit} de CPU a manos del hipervisor. Están "
            "marcados en la figura y no se ha descartado ninguno."
        ),
        "quiet": "Ningún bloque perdió más del {limit} de CPU a manos del hipervisor.",
        "alt": "Mediana de cada bloque respecto a la de su celda, ronda a ronda",
    },
    "en": {
        "none": "Not measured: there are no latency blocks.",
        "spread": (
            "Of {n} blocks, the middle half lies between {low} and {high} of its cell's median, "
            "and the "
            "largest reaches {top}."
        ),
        "noisy": (
            "{n} blocks ({share}) lost more than {limit} of the CPU to the hypervisor. They are "
            "marked "
            "in the figure, and none was dropped."
        ),
        "quiet": "No block lost more than {limit} of the CPU to the hypervisor.",
        "alt": "Median of each block against its cell's, round by round",
    },
}


def render(result: Result, language: str) -> str:
    texts, blocks = TEXTS[language], reading.blocks(result)
    if blocks.empty:
        return texts["none"]
    low, high = (float(blocks["relative"].quantile(share)) for share in (0.25, 0.75))
    spread = {"low": low, "high": high, "top": float(blocks["relative"].max())}
    shown = {name: markdown.quantity(value, "share", language) for name, value in spread.items()}
    noisy = int(blocks["noisy"].sum())
    marked = texts["noisy" if noisy else "quiet"].format(
        n=markdown.count(noisy, language),
        share=markdown.quantity(noisy / len(blocks), "share", language),
        limit=markdown.given(reading.NOISY_STEAL, "share", language),
    )
    return markdown.paragraphs(
        texts["spread"].format(n=markdown.count(len(blocks), language), **shown) + " " + marked,
        markdown.figure("noise", texts["alt"]),
        markdown.source(language, "calls", operation="pipeline", warm="True"),
    )


section = Section(order=120, title={"es": "Ruido de la medida", "en": "Noise"}, render=render)
