// Command tcp-go is the peer of our network stack: the kernel's TCP behind a TUN device, or gVisor's. Packets go over
// stdin and stdout, each after its length in 16 bits, or through a tunnel of wireguard-go over UDP.
//
//	tcp-go kernel   makes a device in the network namespace that it runs in
//	tcp-go gvisor
//	tcp-go kernel PRIVATE PUBLIC PORT   does so in a new namespace
//	tcp-go gvisor PRIVATE PUBLIC PORT
//
// It has the address fd7a::2, accepts connections to port 9000, and calls port 9001 of fd7a::1 for each line "MODE
// BYTES" on descriptor 3. See conversation.go for the protocol. On stderr it prints "port" and the number of its UDP
// port, "ready", and "done" after each call; anything else is a failure.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/tun"
)

const mtu = 1280

// network is a TCP implementation and the device below it.
type network interface {
	// ReadPacket reads an outgoing packet.
	ReadPacket(packet []byte) (int, error)
	// WritePacket delivers an incoming packet.
	WritePacket(packet []byte) error
	// Device is the same for wireguard-go, which reads and writes instead.
	Device() (tun.Device, error)
	Listen(port int) (net.Listener, error)
	Dial(port int) (net.Conn, error)
}

func main() {
	log.SetFlags(0)
	arguments := os.Args[1:]
	var err error
	switch {
	case len(arguments) == 1:
		err = runOverPipes(arguments[0])
	case len(arguments) == 4 && arguments[0] == "kernel":
		err = enterNamespace(arguments)
	case len(arguments) == 4 || len(arguments) == 5:
		err = runOverUDP(arguments[0], tunnelOptions{arguments[1], arguments[2], arguments[3]}, arguments[4:])
	default:
		err = errors.New("usage: tcp-go kernel | gvisor [PRIVATE PUBLIC PORT]")
	}
	if err != nil {
		log.Fatal(err)
	}
}

func runOverPipes(kind string) error {
	network, err := converse(kind)
	if err != nil {
		return err
	}
	go send(network)
	go call(network)
	log.Print("ready")
	return receive(network)
}

// runOverUDP uses the inherited socket with the given descriptor, if any.
func runOverUDP(kind string, options tunnelOptions, inherited []string) error {
	network, err := converse(kind)
	if err != nil {
		return err
	}
	bind := conn.NewDefaultBind()
	if len(inherited) == 1 {
		fd, err := strconv.Atoi(inherited[0])
		if err != nil {
			return err
		}
		if bind, err = openInheritedBind(uintptr(fd)); err != nil {
			return err
		}
	}
	if err := secure(network, bind, options); err != nil {
		return err
	}
	go call(network)
	log.Print("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// converse opens a network and accepts conversations.
func converse(kind string) (network, error) {
	network, err := open(kind)
	if err != nil {
		return nil, err
	}
	listener, err := network.Listen(9000)
	if err != nil {
		return nil, err
	}
	go accept(listener)
	return network, nil
}

func open(kind string) (network, error) {
	switch kind {
	case "kernel":
		return openKernel()
	case "gvisor":
		return openGvisor()
	}
	return nil, fmt.Errorf("unknown network %q", kind)
}

func accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if err := answer(conn); err != nil {
				log.Printf("answer: %v", err)
			}
		}()
	}
}

func call(network network) {
	lines := bufio.NewScanner(os.NewFile(3, "calls"))
	for lines.Scan() {
		var mode string
		var size int64
		if _, err := fmt.Sscan(lines.Text(), &mode, &size); err != nil {
			log.Fatal(err)
		}
		go func() {
			conn, err := network.Dial(9001)
			if err == nil {
				err = ask(conn, mode[0], size)
			}
			if err != nil {
				log.Printf("call %s: %v", mode, err)
			} else {
				log.Print("done")
			}
		}()
	}
}

// send passes on the network's packets, in as few writes as possible.
func send(network network) {
	packets := make(chan []byte, 256)
	go func() {
		out := bufio.NewWriterSize(os.Stdout, 1<<17)
		for packet := range packets {
			out.Write([]byte{byte(len(packet) >> 8), byte(len(packet))})
			out.Write(packet)
			if len(packets) == 0 {
				out.Flush()
			}
		}
	}()
	buffer := make([]byte, mtu)
	for {
		n, err := network.ReadPacket(buffer)
		if err != nil {
			log.Fatal(err)
		}
		packets <- append([]byte(nil), buffer[:n]...)
	}
}

// receive delivers incoming packets to the network until the other side ends.
func receive(network network) error {
	in := bufio.NewReaderSize(os.Stdin, 1<<18)
	buffer := make([]byte, 1<<16)
	for {
		var length [2]byte
		if _, err := io.ReadFull(in, length[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		packet := buffer[:int(length[0])<<8|int(length[1])]
		if _, err := io.ReadFull(in, packet); err != nil {
			return err
		}
		if err := network.WritePacket(packet); err != nil {
			return err
		}
	}
}
