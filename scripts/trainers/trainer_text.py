"""Images and sentences as trainers see them, and back."""

import os

import numpy as np

mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def levels(tensor, centre=mean, spread=std):
    """A normalised image [3, S, S] as levels of 255 [S, S, 3]."""
    return (tensor.numpy().transpose(1, 2, 0) * spread + centre) * 255


def bert(tokenizer_class):
    """BERT's tokenizer without a download: the vocabulary that comes with nemosaic."""
    folder = os.path.abspath("bert-base-uncased")
    return tokenizer_class(os.path.join(folder, "vocab.txt"), do_lower_case=True)


def bert_ids(tokenizer, length):
    def ids(text):
        found = tokenizer.encode(text=text, add_special_tokens=True)[:length]
        return found + [0] * (length - len(found))

    return ids
