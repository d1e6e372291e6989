//! The sockets: UDP and TCP on one port number.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

/// Kernel buffer wanted for sending UDP, bytes: a key frame to fifty receivers at once.
const SEND_BUFFER: usize = 4 << 20;
/// And for receiving: on a machine that is too slow, what waits longer than about a second had better be lost. Clients do not
/// recognise the answer to a connectivity check after 4 s, and send it again all the same.
const RECEIVE_BUFFER: usize = 512 << 10;
/// The sockets of one address.
pub(crate) type Pair = (SocketAddr, UdpSocket, TcpListener);

/// Binds UDP and TCP to one port on each address of this machine that `bind` means.
pub(crate) fn bind_all(bind: SocketAddr) -> io::Result<(Vec<Pair>, u16)> {
    let addrs = addresses(bind.ip());
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    // A free UDP port may be taken for TCP: another one is tried then.
    for _ in 0..if bind.port() == 0 { 32 } else { 1 } {
        match bind_once(&addrs, bind.port()) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_once(addrs: &[IpAddr], port: u16) -> io::Result<(Vec<Pair>, u16)> {
    let mut port = port;
    let mut pairs = Vec::new();
    for ip in addrs {
        let udp = udp_socket(SocketAddr::new(*ip, port))?;
        let addr = udp.local_addr()?;
        port = addr.port();
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        pairs.push((addr, udp, TcpListener::from_std(listener)?));
    }
    Ok((pairs, port))
}

fn udp_socket(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, None)?;
    // The kernel gives what its limits allow.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    UdpSocket::from_std(socket.into())
}

/// ICE needs real addresses: "any" becomes the loopback address and the one used towards the internet.
fn addresses(ip: IpAddr) -> Vec<IpAddr> {
    if !ip.is_unspecified() {
        return vec![ip];
    }
    let (loopback, any, far): (IpAddr, IpAddr, IpAddr) = if ip.is_ipv4() {
        // Addresses of documentation: nothing is sent, the kernel only picks a route.
        (
            Ipv4Addr::LOCALHOST.into(),
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(203, 0, 113, 1).into(),
        )
    } else {
        (
            Ipv6Addr::LOCALHOST.into(),
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        )
    };
    let mut all = vec![loopback];
    let outward = std::net::UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((far, 9))?;
        socket.local_addr()
    });
    if let Ok(addr) = outward
        && !all.contains(&addr.ip())
    {
        all.push(addr.ip());
    }
    all
}
