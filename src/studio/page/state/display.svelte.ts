/** How pictures are shown; lasts as long as the page. */
class DisplayState {
  /** Opacity of masks, 0 to 1. */
  mask = $state(0.4);
  /** Masks hidden for a look underneath. */
  isMaskHidden = $state(false);
  isHelpOpen = $state(false);
  isSettingsOpen = $state(false);
  /** The panel of filters, where it lies over the page for want of width. */
  isFilterOpen = $state(false);
}

export const display = new DisplayState();
