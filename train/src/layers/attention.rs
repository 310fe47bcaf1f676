//! Multi-head attention (Vaswani et al. 2017, section 3.2.2).
//!
//! Shapes: b batch, t time of the queries, s time of the keys, d width, h heads, k width of a head.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::Linear;
use crate::parameters::{Declaration, Init, Parameters};

/// Queries, keys and values in several heads, with fairseq's names: `q_proj`, `k_proj`, `v_proj`
/// and `out_proj`.
#[derive(Debug)]
pub struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    dropout: f64,
}

/// Keys and values by head, `[b, h, s, k]` each.
#[derive(Debug)]
pub struct KeysValues {
    /// Keys.
    pub keys: Tensor,
    /// Values.
    pub values: Tensor,
}

impl KeysValues {
    /// Those of some rows of the batch.
    #[must_use]
    pub fn select(&self, rows: &Tensor) -> Self {
        Self { keys: self.keys.index_select(0, rows), values: self.values.index_select(0, rows) }
    }

    /// With those of one more position behind, for the rows that go on from `parents` (`None`: for
    /// every row as it is).
    #[must_use]
    pub fn followed_by(&self, next: &Self, parents: Option<&Tensor>) -> Self {
        let join = |before: &Tensor, next: &Tensor| {
            let Some(parents) = parents else {
                return Tensor::cat(&[before, next], 2);
            };
            // selected straight into place: the cache of a long sentence is copied once, not twice
            let (rows, heads, _, size) = next.size4().expect("keys have four dimensions");
            let seen = before.size()[2];
            let both = Tensor::empty([rows, heads, seen + 1, size], (before.kind(), before.device()));
            let _ = before.index_select_out(&both.narrow(2, 0, seen), 0, parents);
            both.narrow(2, seen, 1).copy_(next);
            both
        };
        Self { keys: join(&self.keys, &next.keys), values: join(&self.values, &next.values) }
    }
}

/// What the queries may look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight<'a> {
    /// Added to the products before the softmax: 0 where a key may be seen, −∞ where it is padding.
    /// Broadcast to `[b, h, t, s]`.
    pub mask: Option<&'a Tensor>,
    /// Whether a query sees only keys at its own position and before.
    pub causal: bool,
}

impl Attention {
    /// The parameters, started as in fairseq: queries, keys and values Xavier-uniform with gain
    /// 1/√2, because the three are one matrix of `[3·d, d]`; the output Xavier-uniform.
    pub fn declare(name: &str, width: i64, out: &mut Vec<Declaration>) {
        for (part, gain) in
            [("q_proj", 0.5_f64.sqrt()), ("k_proj", 0.5_f64.sqrt()), ("v_proj", 0.5_f64.sqrt()), ("out_proj", 1.0)]
        {
            let weight = Init::xavier_uniform(width, width, gain);
            out.push(Declaration::new(format!("{name}.{part}.weight"), &[width, width], weight));
            out.push(Declaration::new(format!("{name}.{part}.bias"), &[width], Init::Zeros));
        }
    }

    /// Finds the parameters below `name`.
    ///
    /// # Errors
    /// When one was not declared.
    pub fn new(parameters: &Parameters, name: &str, heads: i64, dropout: f64) -> Result<Self> {
        let linear = |part: &str| Linear::new(parameters, &format!("{name}.{part}"));
        Ok(Self {
            query: linear("q_proj")?,
            key: linear("k_proj")?,
            value: linear("v_proj")?,
            output: linear("out_proj")?,
            heads,
            dropout,
        })
    }

    /// Attention of a sequence to itself.
    ///
    /// # Shapes
    /// `x_btd` to `[b, t, d]`.
    pub fn to_itself(&self, x_btd: &Tensor, sight: Sight<'_>, train: bool) -> Tensor {
        let (query, memory) = self.project_all(x_btd);
        self.mix(&query, &memory, sight, train)
    }

    /// Attention of a sequence to keys and values from elsewhere.
    ///
    /// # Shapes
    /// `x_btd` to `[b, t, d]`.
    pub fn to_memory(&self, x_btd: &Tensor, memory: &KeysValues, sight: Sight<'_>, train: bool) -> Tensor {
        self.mix(&self.project_query(x_btd), memory, sight, train)
    }

    /// The keys and values of a sequence, to be attended to.
    ///
    /// # Shapes
    /// `x_bsd` to two of `[b, h, s, k]`.
    pub fn project_memory(&self, x_bsd: &Tensor) -> KeysValues {
        let both = Linear::forward_together(&[&self.key, &self.value], x_bsd).chunk(2, 2);
        KeysValues { keys: self.by_head(&both[0]), values: self.by_head(&both[1]) }
    }

    /// Queries, keys and values of one sequence.
    ///
    /// # Shapes
    /// `x_btd` to three of `[b, h, t, k]`.
    pub fn project_all(&self, x_btd: &Tensor) -> (Tensor, KeysValues) {
        let all = Linear::forward_together(&[&self.query, &self.key, &self.value], x_btd).chunk(3, 2);
        (self.by_head(&all[0]), KeysValues { keys: self.by_head(&all[1]), values: self.by_head(&all[2]) })
    }

    /// The queries of a sequence.
    ///
    /// # Shapes
    /// `x_btd` to `[b, h, t, k]`.
    pub fn project_query(&self, x_btd: &Tensor) -> Tensor {
        self.by_head(&self.query.forward(x_btd))
    }

    /// The values that the queries look at, through the output map.
    ///
    /// # Shapes
    /// `query_bhtk` to `[b, t, d]`.
    pub fn mix(&self, query_bhtk: &Tensor, memory: &KeysValues, sight: Sight<'_>, train: bool) -> Tensor {
        let dropout = if train { self.dropout } else { 0.0 };
        let (keys, values) = (&memory.keys, &memory.values);
        let mixed_bhtk = Tensor::scaled_dot_product_attention(
            query_bhtk,
            keys,
            values,
            sight.mask,
            dropout,
            sight.causal,
            None,
            false,
        );
        let (batch, _, time, _) = mixed_bhtk.size4().expect("queries have four dimensions");
        self.output.forward(&mixed_bhtk.transpose(1, 2).reshape([batch, time, -1]))
    }

    /// The weights themselves, which the fused kernels never show.
    ///
    /// # Shapes
    /// `query_bhtk` to `[b, h, t, s]`, each row summing to 1.
    pub fn weights(&self, query_bhtk: &Tensor, memory: &KeysValues, sight: Sight<'_>) -> Tensor {
        let size = query_bhtk.size()[3] as f64;
        let mut products = query_bhtk.matmul(&memory.keys.transpose(2, 3)) / size.sqrt();
        if let Some(mask) = sight.mask {
            products += mask;
        }
        if sight.causal {
            let seen = products.ones_like().tril(0);
            products = products.masked_fill(&seen.eq(0.0), f64::NEG_INFINITY);
        }
        products.softmax(-1, Kind::Float)
    }

    fn by_head(&self, x_btd: &Tensor) -> Tensor {
        let (batch, time, width) = x_btd.size3().expect("hidden states have three dimensions");
        x_btd.view([batch, time, self.heads, width / self.heads]).transpose(1, 2)
    }
}
