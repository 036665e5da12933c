import { classesOf, type ObjectClass } from "../object-class.ts";

/** Vehicles, sports, clothing, instruments, toys. Colours were named by looking at each sprite. */
export const belongingsClasses: readonly ObjectClass[] = [
  ...classesOf("vehicle", 1.4, ["street"], {
    car: { also: ["automobile"], colours: ["red"], tints: ["blue", "black"], band: [335, 20], variants: ["blue", "green", "yellow", "purple", "white"], keeps: ["black", "red", "blue"] },
    taxi: { also: ["cab", "taxi cab"], colours: ["yellow"], tints: ["orange", "black", "blue"] },
    bus: { colours: [], tints: ["orange", "yellow", "white", "blue"], size: 1.6, band: [20, 55], variants: ["red", "green", "purple"], keeps: ["white", "blue"] },
    truck: { also: ["lorry"], colours: [], tints: ["green", "white", "gray"], size: 1.6, band: [110, 185], variants: ["red", "yellow", "purple"], keeps: ["white", "gray", "blue"] },
    "fire truck": { also: ["fire engine"], colours: ["red"], tints: ["white", "gray", "blue"], size: 1.6 },
    tractor: { colours: ["green"], tints: ["blue", "black"], places: ["street", "wild"], band: [110, 175], variants: ["red", "yellow"], keeps: ["blue", "black", "green"] },
    bicycle: { also: ["bike", "pedal bike"], colours: [], tints: ["red", "blue", "orange", "white", "black"], size: 1.2, places: ["street", "wild"] },
    scooter: { also: ["moped", "motor scooter"], colours: [], tints: ["red", "pink", "black", "gray"], size: 1.15, band: [325, 20], variants: ["blue", "green", "yellow", "purple"], keeps: ["black", "gray"] },
    motorcycle: { also: ["motorbike"], colours: ["red"], tints: ["orange", "pink", "black", "purple", "blue"] },
    helicopter: { also: ["chopper"], colours: ["orange"], tints: ["blue", "gray", "red", "white", "yellow"], places: ["street", "wild"] },
    van: { also: ["minibus"], colours: [], tints: ["white", "blue", "purple", "gray"], size: 1.5 },
  }),
  ...classesOf("sports", 0.8, ["beach", "room", "wild"], {
    "soccer ball": { colours: [], tints: ["blue", "white", "gray", "purple"], band: [195, 235], minChroma: 0.35, variants: ["red", "green"], keeps: ["white", "gray"] },
    basketball: { colours: ["orange"], tints: ["black", "brown", "red"], places: ["room", "street", "beach"] },
    volleyball: { colours: ["white"], tints: ["gray", "purple"], places: ["beach", "room"] },
    baseball: { colours: ["white"], tints: ["red", "pink", "gray", "purple"], size: 0.65, places: ["room", "wild", "table"] },
    "boxing glove": { colours: [], tints: ["red", "pink", "white", "gray"], band: [325, 20], variants: ["blue", "green", "yellow"], keeps: ["white", "gray"], places: ["room"] },
    "roller skate": { also: ["rollerskate"], colours: [], tints: ["pink", "orange", "purple", "blue", "red"], size: 0.95, places: ["room", "street"] },
    trophy: { also: ["trophy cup"], colours: [], tints: ["yellow", "orange", "brown"], size: 1, places: ["room", "table"] },
  }),
  ...classesOf("clothing", 0.95, ["room"], {
    boot: { also: ["hiking boot"], colours: [], tints: ["yellow", "orange", "brown", "purple"] },
    "high heel": { colours: [], tints: ["red", "pink", "black"], band: [325, 20], variants: ["blue", "yellow", "purple"], keeps: ["black"] },
    sneaker: { also: ["running shoe"], colours: [], tints: ["gray", "white", "purple"], band: "greys", variants: ["red", "green"], keeps: ["purple", "white"] },
    "top hat": { colours: ["black"], tints: ["red", "pink", "purple"] },
    cap: { also: ["baseball cap"], colours: ["blue"], band: [180, 235], variants: ["red", "green", "yellow", "pink"], places: ["room", "beach"] },
    backpack: { also: ["rucksack", "school bag"], colours: [], tints: ["red", "pink", "yellow"], band: [325, 20], variants: ["blue", "green", "purple"], keeps: ["yellow"], size: 1.05, places: ["room", "beach", "street"] },
    handbag: { also: ["purse"], colours: ["brown"], tints: ["orange", "pink", "yellow"], places: ["room", "table"] },
    umbrella: { also: ["parasol"], colours: ["purple"], tints: ["brown"], band: [235, 300], variants: ["red", "yellow", "green", "blue"], keeps: ["brown"], size: 1.25, places: ["beach", "street"] },
    suitcase: { colours: ["blue"], tints: ["gray", "black"], band: [195, 235], minChroma: 0.4, variants: ["red", "green", "yellow", "pink"], keeps: ["gray", "black"], size: 1.1, places: ["room", "street", "beach"] },
  }),
  ...classesOf("instrument", 1.15, ["room"], {
    guitar: { also: ["electric guitar"], colours: [], tints: ["red", "pink", "white", "purple"], size: 1.35, band: [325, 20], variants: ["blue", "green", "yellow"], keeps: ["white", "purple"] },
    violin: { also: ["fiddle"], colours: ["brown"], tints: ["black", "red"] },
    drum: { also: ["snare drum"], colours: [], tints: ["red", "pink", "white", "yellow", "orange"] },
    saxophone: { also: ["sax"], colours: [], tints: ["yellow", "orange", "brown"] },
    trumpet: { colours: [], tints: ["yellow", "orange"] },
    accordion: { colours: [], tints: ["red", "pink", "white", "orange"] },
  }),
  ...classesOf("toy", 0.95, ["room", "table"], {
    gift: { also: ["present", "gift box"], colours: ["yellow"], tints: ["red", "orange"], band: [25, 62], variants: ["blue", "green", "purple", "pink"], keeps: ["red"], places: ["room", "table"] },
    "teddy bear": { also: ["teddy"], colours: [], tints: ["orange", "brown"], size: 1.05, band: [5, 45], variants: ["white", "pink", "blue"], places: ["room"] },
    die: { plural: "dice", colours: ["white"], tints: ["black", "red", "gray", "purple"], size: 0.7 },
    robot: { also: ["toy robot"], colours: [], tints: ["white", "red", "purple", "blue", "gray", "black", "pink", "orange"], places: ["room"] },
    "nesting doll": { also: ["russian doll", "matryoshka"], colours: [], tints: ["red", "pink", "white"], band: [325, 355], minChroma: 0.5, variants: ["blue", "green", "purple"], keeps: ["white", "pink"] },
    book: { colours: ["red"], tints: ["pink", "white"], band: [325, 20], variants: ["blue", "green", "yellow", "purple"], keeps: ["white"], places: ["table", "room"] },
  }),
];
