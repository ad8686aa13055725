"""The k-winners-take-all inhibition of `network.KWinners` for a Brian2 group, at run time and as standalone C++."""

from types import ModuleType
from typing import Any

import numpy as np

CPP = """
namespace {{
    int32_t race_{n}_count[{batches}] = {{0}};
    bool race_{n}_held[{cells} * {batches}] = {{false}};
    const int32_t race_{n}_turns[] = {{{turns}}};
    int64_t race_{n}_cycle = -1;
}}
bool race_{n}(int32_t place, bool fresh) {{
    double* v = brian::{v};
    char* crossing = brian::{crossed};
    int32_t* rank = brian::{rank};
    static std::vector<bool> won({cells} * {batches});
    if (place > 0) return won[place];
    if (fresh) race_{n}_cycle++;
    const int32_t k = race_{n}_turns[race_{n}_cycle % {number}];
    for (int b = 0; b < {batches}; b++) {{
        const int first = b * {cells}, last = first + {cells};
        int32_t& count = race_{n}_count[b];
        if (fresh) count = 0;
        std::vector<int> crossed;
        for (int c = first; c < last; c++) {{
            if (fresh) race_{n}_held[c] = false;
            if (race_{n}_held[c]) v[c] = 0.0;
            won[c] = false;
            if (crossing[c] && !race_{n}_held[c]) crossed.push_back(c);
        }}
        std::stable_sort(crossed.begin(), crossed.end(), [v](int x, int y) {{ return v[x] > v[y]; }});
        if (crossed.empty() || count == k) continue;
        for (int c : crossed) {{
            if (count == k) break;
            rank[c] = count++;
            won[c] = race_{n}_held[c] = true;
        }}
        if (count == k)
            for (int c = first; c < last; c++) {{
                race_{n}_held[c] = true;
                if (!won[c]) v[c] = 0.0;
            }}
    }}
    return won[place];
}}
"""


class Race:
    """The winner-take-all of one group: of its `crossed` cells the winners fire (`fires`, `rank`), and the silenced are held at v = 0."""

    def __init__(self, group: Any, turns: tuple[int, ...], batches: int, cycle: int) -> None:
        self.group, self.turns, self.batches, self.cycle = group, turns, batches, cycle
        self.cells = group.N // batches
        self.count = np.zeros(batches, np.int64)
        self.held = np.zeros(group.N, bool)

    def operation(self, b2: ModuleType, dt: Any) -> Any:
        """As a network operation, for the run-time targets."""
        return b2.NetworkOperation(self.step, dt=dt, when="before_thresholds")

    def step(self, t: Any) -> None:
        """One step of the race; t is Brian2's time."""
        v, crossing, fires, rank = (self.group.variables[name].get_value() for name in ("v", "crossed", "fires", "rank"))
        cycle, phase = divmod(round(float(t / self.group.clock.dt)), self.cycle)
        k = self.turns[cycle % len(self.turns)]
        if phase == 0:
            self.count[:], self.held[:] = 0, False
        v[self.held], crossing[self.held] = 0.0, False
        fires[:] = False
        for b in range(self.batches):
            item = slice(b * self.cells, (b + 1) * self.cells)
            crossed = np.flatnonzero(crossing[item])
            order = crossed[np.argsort(-v[item][crossed], kind="stable")][: k - self.count[b]] + item.start
            if not len(order):
                continue
            fires[order], self.held[order] = True, True
            rank[order] = self.count[b] + np.arange(len(order))
            self.count[b] += len(order)
            if self.count[b] == k:
                v[item] = np.where(fires[item], v[item], 0.0)
                self.held[item] = True

    def standalone(self, b2: ModuleType, n: int, dt: Any) -> Any:
        """As a C++ function that runs the race for all cells when it is called for the first."""

        def code(owner: Any) -> str:
            names = {name: b2.device.get_array_name(owner.variables[name]) for name in ("v", "crossed", "rank")}
            turns = {"turns": ", ".join(map(str, self.turns)), "number": len(self.turns)}
            return CPP.format(n=n, batches=self.batches, cells=self.cells, **turns, **names)

        race = b2.Function(
            _only_compiled, arg_units=[1, bool], return_unit=bool, arg_names=["place", "fresh"], stateless=False
        )  # fmt: skip
        needs = {"headers": ["<algorithm>", "<vector>"]}
        race.implementations.add_dynamic_implementation("cpp", code=code, namespace=lambda owner: {}, compiler_kwds=needs)
        self.group.namespace |= {f"race_{n}": race, "cycle": self.cycle}
        return self.group.run_regularly(
            f"fires = race_{n}(i, timestep(t, dt) % cycle == 0)", when="before_thresholds", dt=dt, name=f"runs_{n}"
        )


def _only_compiled(place: int, fresh: bool) -> bool:
    """Brian2 wants a Python body for a function; standalone code never calls it."""
    raise RuntimeError("the race of standalone code runs in C++ only")
