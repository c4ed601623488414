//! `socket-ext` (section 6.12.4).

use crate::{
    model::{Closed, Dictionary, Integer, Whole, stix_extension},
    vocabulary,
};

stix_extension! {
    /// A network socket.
    SocketExt = "socket-ext" of "network-traffic", section "6.12.4", requirement "S-113", rules [];
    required { address_family: Closed<vocabulary::NetworkSocketAddressFamily>, }
    optional {
        is_blocking: bool,
        is_listening: bool,
        options: Dictionary<Integer>,
        socket_type: Closed<vocabulary::NetworkSocketType>,
        socket_descriptor: Whole,
        socket_handle: Integer,
    }
}
