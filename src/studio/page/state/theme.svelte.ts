const choices = ["system", "light", "dark"] as const;
type Theme = (typeof choices)[number];

/** Light or dark: the system's wish unless a person chose. */
class ThemeState {
  choice = $state<Theme>(choices.find((name) => name === read()) ?? "system");
  #systemIsDark = $state(matchMedia("(prefers-color-scheme: dark)").matches);
  isDark = $derived(this.choice === "dark" || (this.choice === "system" && this.#systemIsDark));

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
      this.#systemIsDark = event.matches;
    });
  }

  toggle(): void {
    this.choice = this.isDark ? "light" : "dark";
    try {
      localStorage.setItem("nemosaic-theme", this.choice);
    } catch {
      // storage is off: the choice lasts as long as the page
    }
  }
}

function read(): string | null {
  try {
    return localStorage.getItem("nemosaic-theme");
  } catch {
    return null;
  }
}

export const theme = new ThemeState();
