"""Reads an export as its format's own users do and compares it with what was expected. Knows nothing of nemosaic.

argv: format, export folder, file of expected records (JSON lines), "exact" or "jpeg".
An expected record: {split, sentences, image (PNG path), mask (PNG path), original (path of the bytes expected, or null)}.
Prints {"records", "pixels", "worst"}; fails on any difference.
"""
import contextlib, glob, io, itertools, json, os, pickle, sys
import numpy as np
from PIL import Image


def pil(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def png_mask(data):
    grey = np.array(Image.open(io.BytesIO(data)))
    assert grey.ndim == 2 and set(np.unique(grey)) <= {0, 255}, "a mask is one channel of 0 and 255"
    return (grey == 255).astype(np.uint8)


def floats(values):
    """A list of whole numbers would be an array of integers, which detectron2 scales in place and cuts off."""
    flat = [value for part in values for value in (part if isinstance(part, list) else [part])]
    return all(isinstance(value, float) for value in flat)


def box_of(mask):
    ys, xs = np.nonzero(mask)
    return [int(xs.min()), int(ys.min()), int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1)] if len(xs) else [0, 0, 0, 0]


def annotated(annotation, image):
    """The mask of an annotation as the REFER API and LAVT make it: parts are summed, and what is exactly 1 counts."""
    from pycocotools import mask as coco

    segmentation = annotation["segmentation"]
    assert isinstance(segmentation, list) and len(segmentation) > 0
    if isinstance(segmentation[0], list):
        assert all(len(part) >= 6 and len(part) % 2 == 0 for part in segmentation), "ReLA drops shorter ones"
        assert floats(segmentation)
        segmentation = coco.frPyObjects(segmentation, image["height"], image["width"])
    layers = coco.decode(segmentation)
    assert layers.ndim == 3
    summed = layers.sum(axis=2)
    assert summed.max(initial=0) <= 1, "a loader that sums polygons would make holes"
    mask = summed.astype(np.uint8)
    assert isinstance(annotation["area"], float) and annotation["area"] == int(mask.sum())
    assert floats(annotation["bbox"]) and annotation["bbox"] == box_of(mask), (annotation["bbox"], box_of(mask))
    return mask


def read_refer(root):
    folder = os.path.join(root, "refcoco")
    refs = pickle.load(open(os.path.join(folder, "refs(unc).p"), "rb"))
    raw = open(os.path.join(folder, "refs(unc).p"), "rb").read()
    assert raw[:2] == b"\x80\x02", "protocol 2"
    instances = json.load(open(os.path.join(folder, "instances.json")))
    images = {image["id"]: image for image in instances["images"]}
    annotations = {annotation["id"]: annotation for annotation in instances["annotations"]}
    categories = {category["id"]: category["name"] for category in instances["categories"]}
    assert len(images) == len(instances["images"]) and len(annotations) == len(instances["annotations"])
    assert len({ref["ref_id"] for ref in refs}) == len(refs) and len({ref["ann_id"] for ref in refs}) == len(refs)
    sent_ids = [sentence["sent_id"] for ref in refs for sentence in ref["sentences"]]
    assert len(set(sent_ids)) == len(sent_ids)
    for ref in refs:
        image, annotation = images[ref["image_id"]], annotations[ref["ann_id"]]
        assert annotation["image_id"] == ref["image_id"] and annotation["category_id"] == ref["category_id"]
        assert ref["category_id"] in categories, "MaskRIS looks every category up"
        assert ref["sent_ids"] == [sentence["sent_id"] for sentence in ref["sentences"]]
        assert all(sentence["tokens"] == sentence["sent"].split() for sentence in ref["sentences"])
        assert os.path.splitext(image["file_name"])[0] == "COCO_train2014_%012d" % ref["image_id"]
        path = os.path.join(root, "images/mscoco/images/train2014", image["file_name"])
        for place in ["images/train2014", "images/mscoco/train2014", "train2014", "coco2014/train2014"]:
            assert os.path.samefile(path, os.path.join(root, place, image["file_name"])), place
        data = open(path, "rb").read()
        mask = annotated(annotation, image)
        targets = annotation.get("target_ids")
        if targets is not None:
            assert len(targets) != 1
            parts = [annotated(annotations[target], image) for target in targets]
            assert (np.any(parts, axis=0) == mask).all() if parts else mask.sum() == 0
        # RefSegformer takes a sentence without "exist" for one that is true.
        assert all(sentence.get("exist", True) == (targets != []) for sentence in ref["sentences"])
        yield ref["split"], data, mask, [sentence["sent"] for sentence in ref["sentences"]]


def read_general(root):
    """gRefCOCO, as ReLA and LISA read it: a list of targets, whose masks are united."""
    folder = os.path.join(root, "grefcoco")
    refs = json.load(open(os.path.join(folder, "grefs(unc).json")))
    instances = json.load(open(os.path.join(folder, "instances.json")))
    images = {image["id"]: image for image in instances["images"]}
    annotations = {annotation["id"]: annotation for annotation in instances["annotations"]}
    categories = {category["id"] for category in instances["categories"]}
    assert len(annotations) == len(instances["annotations"]) == sum(len(ref["ann_id"]) for ref in refs if not ref["no_target"])
    for ref in refs:
        image, targets = images[ref["image_id"]], ref["ann_id"]
        data = open(os.path.join(root, "images/train2014", image["file_name"]), "rb").read()
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        assert ref["no_target"] == (targets == [-1]) == (ref["category_id"] == [-1])
        if not ref["no_target"]:
            assert len(ref["category_id"]) == len(targets) == len(set(targets))
            for target, category in zip(targets, ref["category_id"]):
                annotation = annotations[target]
                assert annotation["image_id"] == ref["image_id"] and annotation["category_id"] == category and category in categories
                mask |= annotated(annotation, image)
        yield ref["split"], data, mask, [sentence["sent"] for sentence in ref["sentences"]]


def rasterised(polygons, height, width):
    """The mask of polygons as SeqTR makes it, by union, where a sum would be the same: Sa2VA sums."""
    from pycocotools import mask as coco

    assert floats(polygons) and all(len(part) >= 6 for part in polygons)
    parts = coco.frPyObjects(polygons, height, width)
    assert coco.decode(parts).sum(axis=2).max(initial=0) <= 1
    return coco.decode(coco.merge(parts))


def read_seqtr(root):
    splits = json.load(open(os.path.join(root, "annotations/refcoco-unc/instances.json")))
    for split, entries in splits.items():
        for entry in entries:
            data = open(os.path.join(root, "images/mscoco/train2014", "COCO_train2014_%012d.jpg" % entry["image_id"]), "rb").read()
            mask = rasterised(entry["mask"], entry["height"], entry["width"])
            assert mask.any() and floats(entry["bbox"]) and entry["bbox"] == box_of(mask) and entry["category_id"] > 0
            yield split, data, mask, entry["expressions"]


def read_gres(root):
    """SeqTR's descendants on gRefCOCO: an entry for each sentence, an annotation for each target."""
    folder = os.path.join(root, "annotations/grefs")
    sentences = json.load(open(os.path.join(folder, "train_dict.json")))
    splits = json.load(open(os.path.join(folder, "instances.json")))
    listed = [said["sent_id"] for image in sentences.values() for said in image["expressions"]]
    assert sorted(listed) == sorted(entry["expressions"]["sent_id"] for entry in splits["train"])
    for split, entries in splits.items():
        for ref_id, group in itertools.groupby(entries, lambda entry: entry["expressions"]["ref_id"]):
            group = list(group)
            first = group[0]
            data = open(os.path.join(root, "images/mscoco/train2014", "COCO_train2014_%012d.jpg" % first["image_id"]), "rb").read()
            mask = np.zeros((first["height"], first["width"]), np.uint8)
            assert all(entry["annotations"] == first["annotations"] for entry in group)
            for annotation in first["annotations"]:
                if annotation["empty"]:
                    assert len(first["annotations"]) == 1 and annotation["id"] == -1 and annotation["bbox"] is None
                    continue
                part = rasterised(annotation["segmentation"], first["height"], first["width"])
                assert annotation["id"] > 0 and annotation["bbox"] == box_of(part)
                mask |= part
            yield split, data, mask, [entry["expressions"]["sent"] for entry in group]


def read_sam3(root):
    from pycocotools import mask as coco
    from pycocotools.coco import COCO

    assert os.path.samefile(os.path.join(root, "valid"), os.path.join(root, "val"))
    for split in ["train", "val"]:
        with contextlib.redirect_stdout(io.StringIO()):
            plain = COCO(os.path.join(root, split, "_annotations.coco.json"))
        seen = 0
        saco = json.load(open(os.path.join(root, split, "saco.json")))
        by_row = {}
        for annotation in saco["annotations"]:
            by_row.setdefault(annotation["image_id"], []).append(annotation)
        assert len({row["id"] for row in saco["images"]}) == len(saco["images"])
        for ref_id, rows in itertools.groupby(saco["images"], lambda row: row["ref_id"]):
            rows = list(rows)
            height, width = rows[0]["height"], rows[0]["width"]
            data = open(os.path.join(root, split, rows[0]["file_name"]), "rb").read()
            for row in rows:
                mask = np.zeros((height, width), np.uint8)
                for annotation in by_row.get(row["id"], []):
                    part = coco.decode(annotation["segmentation"])
                    scale = np.array([width, height, width, height])
                    assert np.allclose(np.array(annotation["bbox"]) * scale, box_of(part)) and part.any()
                    mask |= part
                category = [number for number, named in plain.cats.items() if named["name"] == row["text_input"]]
                own = [a for a in plain.imgToAnns[ref_id] if [a["category_id"]] == category]
                assert len(own) == len(by_row.get(row["id"], []))
                assert not own or (np.any([plain.annToMask(a) for a in own], axis=0) == mask).all()
                assert (ref_id in plain.imgs) == (len(own) > 0)
                assert all(a["bbox"] == box_of(plain.annToMask(a)) and a["area"] == plain.annToMask(a).sum() for a in own)
                seen += len(own)
            yield split, data, mask, [row["text_input"] for row in rows]
        assert seen == len(plain.anns)


def read_sa2va(root):
    for split in ["train", "val"]:
        for item in json.load(open(os.path.join(root, split, "annotations.json"))):
            data = open(os.path.join(root, split, "images", item["image"]), "rb").read()
            width, height = Image.open(io.BytesIO(data)).size
            assert len(item["mask"]) == len(item["text"]) > 0 and all(item["text"])
            masks = [rasterised(polygons, height, width) for polygons in item["mask"]]
            assert all((mask == masks[0]).all() for mask in masks)
            yield split, data, masks[0], item["text"]


def read_cris(root):
    import cv2, lmdb, pycocotools.mask

    for split in ["train", "val"]:
        listed = json.load(open(os.path.join(root, "anns/refcoco", split + ".json")))
        env = lmdb.open(os.path.join(root, "lmdb/refcoco", split + ".lmdb"), subdir=False, readonly=True, lock=False, readahead=False, meminit=False)
        with env.begin() as txn:
            length, keys = pickle.loads(txn.get(b"__len__")), pickle.loads(txn.get(b"__keys__"))
            assert length == len(keys) == len(listed) and txn.stat()["entries"] == length + 2
            assert keys == [str(at).encode() for at in range(length)]
            for key, entry in zip(keys, listed):
                ref = pickle.loads(txn.get(key))
                assert set(ref) - {"targets"} == {"img", "mask", "cat", "seg_id", "img_name", "num_sents", "sents", "category"}
                assert ref["num_sents"] == len(ref["sents"]) == entry["sentences_num"]
                assert [sentence["sent"] for sentence in entry["sentences"]] == [sent.strip() for sent in ref["sents"]]
                assert (entry["segment_id"], entry["img_name"], entry["cat"], entry["category"]) == (ref["seg_id"], ref["img_name"], ref["cat"], ref["category"])
                assert (ref["cat"] == -1) == (ref["category"] == "") and (ref["cat"] > 79) == (ref["category"] == "robot, blue")
                decoded = cv2.imdecode(np.frombuffer(ref["mask"], np.uint8), cv2.IMREAD_GRAYSCALE)
                colours = cv2.cvtColor(cv2.imdecode(np.frombuffer(ref["img"], np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
                assert colours.shape[:2] == decoded.shape, "OpenCV turns images with an EXIF orientation"
                mask = png_mask(ref["mask"])
                assert (decoded == 255 * mask).all()
                if "targets" in ref:
                    parts = [pycocotools.mask.decode(target) for target in ref["targets"]]
                    assert len(parts) > 1 and (np.maximum.reduce(parts) == mask).all()
                if split == "val":
                    stored = cv2.imread(os.path.join(root, "masks/refcoco", str(ref["seg_id"]) + ".png"), cv2.IMREAD_GRAYSCALE)
                    assert (stored == decoded).all()
                ys, xs = np.nonzero(mask)
                box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] if len(xs) else [0, 0, 0, 0]
                assert entry["bbox"] == [int(value) for value in box]
                yield split, ref["img"], mask, ref["sents"]
        env.close()


def read_webdataset(root):
    import webdataset

    for split in ["train", "val"]:
        shards = sorted(glob.glob(os.path.join(root, split, "*.tar")))
        assert [os.path.basename(shard) for shard in shards] == ["%06d.tar" % at for at in range(len(shards))] and shards
        for sample in webdataset.WebDataset(shards, shardshuffle=False):
            extension = next(name for name in sample if name in ("jpg", "png", "webp"))
            record = json.loads(sample["json"])
            assert record["split"] == split and (("plan" in record) == (record["kind"] != "original"))
            yield split, sample[extension], png_mask(sample["mask.png"]), [sentence["sent"] for sentence in record["sentences"]]


def read_parquet(root):
    import pandas, pyarrow.parquet

    for split in ["train", "val"]:
        files = sorted(glob.glob(os.path.join(root, "data", split + "-*.parquet")))
        assert [os.path.basename(name) for name in files] == ["%s-%05d-of-%05d.parquet" % (split, at, len(files)) for at in range(len(files))] and files
        for name in files:
            schema = pyarrow.parquet.read_schema(name)
            features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
            assert features["image"] == features["mask"] == {"_type": "Image"} and set(features) == set(schema.names)
            table = pyarrow.parquet.read_table(name)
            frame = pandas.read_parquet(name)
            assert len(frame) == table.num_rows
            for row, again in zip(table.to_pylist(), frame.itertuples()):
                assert again.image["bytes"] == row["image"]["bytes"] and list(again.sentences) == row["sentences"]
                assert (row["plan"] is None) == (row["kind"] == "original") and len(row["sentences"]) == len(row["sentence_keys"])
                yield split, row["image"]["bytes"], png_mask(row["mask"]["bytes"]), row["sentences"]


readers = {"refer": read_refer, "grefcoco": read_general, "cris-lmdb": read_cris, "seqtr": read_seqtr, "gres": read_gres, "sam3": read_sam3, "sa2va": read_sa2va, "webdataset": read_webdataset, "parquet": read_parquet}
name, root, expected, loss = sys.argv[1:]
records, pixels, worst = 0, 0, 0.0
lines = [json.loads(line) for line in open(expected, encoding="utf-8")]
if name == "seqtr":  # it cannot hold an expression of which nothing is to be seen
    lines, every = [line for line in lines if np.array(Image.open(line["mask"])).any()], lines
    assert 0 < len(lines) < len(every)
for (split, data, mask, sentences), want in zip(readers[name](root), lines):
    at = "record %d of %s" % (records, name)
    assert split == want["split"], (at, split, want["split"])
    assert list(sentences) == want["sentences"], (at, sentences, want["sentences"])
    assert (mask == np.array(Image.open(want["mask"])) // 255).all(), at + ": mask"
    image, right = pil(data), np.array(Image.open(want["image"]).convert("RGB"))
    assert image.shape == right.shape and image.shape[:2] == mask.shape, (at, image.shape, right.shape)
    if want["original"] is not None:
        assert data == open(want["original"], "rb").read(), at + ": not the original bytes"
    difference = float(np.abs(image.astype(int) - right.astype(int)).mean())
    worst = max(worst, difference)
    assert difference == 0 if loss == "exact" else difference < 4, (at, difference)
    records += 1
    pixels += mask.size
assert records == len(lines) and next(readers[name](root), None) is not None, (records, len(lines))
print(json.dumps({"records": records, "pixels": pixels, "worst": worst}))
