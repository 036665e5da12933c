"""What a Loader yields."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from numpy.typing import NDArray

from ._pictures import gallery, shape_of, short


@dataclass(repr=False)
class Batch:
    """B samples. Arrays are torch tensors, or NumPy's where the loader was asked for those."""

    image: Any
    """[B, 3, S, S]: float32, normalised, or uint8."""
    mask: Any
    """[B, S, S]: 0 and 1, of the image's dtype."""
    tokens: Any
    """int64 [B, L]; L is 0 where settings.tokens.kind is "none"."""
    text: List[str]
    """The expressions."""
    key: List[str]
    """The expressions' stable names, source/ref/sentence."""
    indices: List[int]
    """The samples' indices in their epoch."""
    epoch: int
    plan: Optional[List[Dict[str, Any]]] = None
    """How each sample was made (docs/formats/plan.md); with plans=True."""
    truth: Optional[List[NDArray[Any]]] = None
    """uint8 [H, W] at the image's own size, one a sample; for splits that are not augmented."""
    replaced: List[Dict[str, Any]] = field(default_factory=list)
    """Samples whose image could not be read, and which index took their place."""
    normalisation: Optional[Dict[str, Any]] = field(default=None, compare=False)
    """{mean, std} that a float32 image was normalised with; None = pixels / 255."""

    @property
    def ref(self) -> List[str]:
        """The refs' stable names, source/ref."""
        return [key.rsplit("/", 1)[0] for key in self.key]

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        parts = [shape_of(name, getattr(self, name)) for name in ("image", "mask", "tokens")]
        first = f'; "{short(self.text[0])}"' if self.text else ""
        replaced = f"; {len(self.replaced)} replaced" if self.replaced else ""
        return f"Batch({len(self)} samples of epoch {self.epoch}: {', '.join(parts)}{first}{replaced})"

    def _repr_html_(self) -> str:
        return gallery(repr(self), self.image, self.mask, self.text, self.normalisation)

    def to(self, device: Any, non_blocking: bool = True) -> "Batch":
        """The batch with its tensors on another device."""
        moved = {name: getattr(self, name).to(device, non_blocking=non_blocking) for name in ("image", "mask", "tokens")}
        return Batch(
            text=self.text,
            key=self.key,
            indices=self.indices,
            epoch=self.epoch,
            plan=self.plan,
            truth=self.truth,
            replaced=self.replaced,
            normalisation=self.normalisation,
            **moved,
        )
