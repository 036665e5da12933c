import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imageSize } from "../codecs/index.ts";
import { openPredictions } from "../evaluate/index.ts";
import { expectOneError, freshFolder } from "./importer.contract.ts";
import { findImporter, recogniseImporter } from "./registry.ts";
import { put } from "./sample-datasets.contract.ts";

const folder = freshFolder();

describe("containers that are not read", () => {
  it("are named in one line that says what to do: save_to_disk's Arrow, Excel, archives", async () => {
    put(folder(), "saved/train/data-00000-of-00001.arrow", "x");
    put(folder(), "saved/train/state.json", "{}");
    put(folder(), "saved/dataset_dict.json", "{}");
    const saved = join(folder(), "saved");
    for (const source of [saved, join(saved, "train")]) {
      await expectOneError(() => recogniseImporter(source), "unsupported", /save_to_disk.*load_from_disk.*to_parquet/);
      const open = (): Promise<unknown> => findImporter("hf-parquet").open({ source });
      await expectOneError(open, "unsupported", /save_to_disk/);
    }
    for (const [name, words] of [
      ["Train_text.xlsx", /Excel file; save the sheet as CSV/],
      ["refcoco.zip", /archive; unpack it/],
      ["masks.npz", /NumPy file; write masks as PNG/],
    ] as const) {
      const source = put(folder(), name, "x");
      await expectOneError(() => recogniseImporter(source), "unsupported", words);
      await expectOneError(() => findImporter("table").open({ source }), "unsupported", words);
    }
  });

  it("are pictures too: BMP, JPEG 2000, HEIC and DICOM", async () => {
    const jp2 = Buffer.concat([Buffer.from([0, 0, 0, 12]), Buffer.from("jP  \r\n\x87\n", "latin1"), Buffer.alloc(60)]);
    const dicom = Buffer.concat([Buffer.alloc(128), Buffer.from("DICM"), Buffer.alloc(9)]);
    for (const [bytes, name] of [
      [Buffer.concat([Buffer.from("BM"), Buffer.alloc(60)]), "BMP"],
      [jp2, "JPEG 2000"],
      [Buffer.concat([Buffer.alloc(4), Buffer.from("ftypheic"), Buffer.alloc(60)]), "HEIC"],
      [dicom, "DICOM"],
    ] as const) {
      await expect(imageSize(bytes, { where: "a.x" })).rejects.toThrow(`in a.x, got ${name}; convert it to PNG`);
    }
  });

  it("are predictions too: JPEG changes a mask's values, NPZ is an archive of arrays", async () => {
    put(folder(), "jpegs/1.jpg", "x");
    put(folder(), "jpegs/2.jpg", "x");
    await expect(openPredictions(join(folder(), "jpegs"))).rejects.toThrow(/got 2 like "1\.jpg"; save them as PNG/);
    put(folder(), "arrays/1.npz", "x");
    await expect(openPredictions(join(folder(), "arrays"))).rejects.toThrow(
      /"1\.npz"; save each array with numpy\.save/,
    );
    await expect(openPredictions(put(folder(), "all.npz", "x"))).rejects.toThrow(/numpy\.save/);
  });
});
