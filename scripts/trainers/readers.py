"""Reads an export with a trainer's own data code, unchanged, from a clone of its repository.

A reader is a function of (clone, export, size). It yields the samples of the training split in the export's order, or
with their number in it, each a dict: `mask`, uint8 [S, S]; `said`, what the trainer makes of the sentence, and `say`,
the function that makes it of a text; `image`, [S, S, 3] in levels of 255, or None where the trainer alters images at
random. What a recipe of docs/export.md changes is changed in the reader too, and marked there.
"""

from read_cris import cris, cgformer
from read_lisa import lisa, lisa_gres
from read_refer import lavt, rmsin, aeroreformer, vpd, refsegformer
from read_rela import rela, rela_gres
from read_sa2va import sa2va_finetune, sa2va_refcoco
from read_sam3 import sam3_train, sam3_saco, sam3_lora
from read_seqtr import seqtr, deris

readers = {
    "LAVT": lavt,
    "VPD": vpd,
    "RMSIN": rmsin,
    "AeroReformer": aeroreformer,
    "MaskRIS": lavt,
    "RefSegformer": refsegformer,
    "ReLA": rela,
    "ReLA gRefCOCO": rela_gres,
    "CRIS": cris,
    "ETRIS": cris,
    "DETRIS": cris,
    "CGFormer": cgformer,
    "LISA": lisa,
    "LISA gRefCOCO": lisa_gres,
    "EVF-SAM": lisa,
    "SeqTR": seqtr,
    "DeRIS": deris,
    "InstanceVG": deris,
    "SAM 3": sam3_train,
    "SAM 3 evaluation": sam3_saco,
    "SAM3_LoRA": sam3_lora,
    "Sa2VA": sa2va_finetune,
    "Sa2VA RefCOCO": sa2va_refcoco,
}
