/** Where the trainers of a dataset look for its images: the files, and links to their folder. */
export interface ImageFolders {
  readonly files: string;
  readonly links: readonly string[];
}

const mscoco: ImageFolders = {
  files: "images/mscoco/images/train2014", // the REFER API, LAVT, VPD, LISA, EVF-SAM
  links: [
    "images/train2014", // ReLA
    "images/mscoco/train2014", // RefSegformer
    "train2014", // MaskRIS
    "coco2014/train2014", // Sa2VA
  ],
};

const others: Readonly<Record<string, string>> = {
  refclef: "images/saiapr_tc-12",
  rrsisd: "images/rrsisd/JPEGImages", // RMSIN
  uavid_ris: "images/uavid_ris/PNGimages", // AeroReformer
  vdd_ris: "images/vdd_ris/PNGimages",
};

/** The image folders of the dataset of that name, as its trainers have them in their code; `own` takes their place. */
export function imageFolders(dataset: string, own: string | null): ImageFolders {
  const named = own ?? others[dataset];
  return named === undefined ? mscoco : { files: named, links: [] };
}
